import Diff
import GroupSPI
import Testing

@Suite struct UnifiedDiffTests {
    private func text(
        _ before: String?,
        _ after: String?,
        context: Int = 3,
        isColoured: Bool = false
    ) throws -> String {
        UnifiedDiff(before: try before.map(view), after: try after.map(view), context: context)
            .text(before: "a", after: "b", isColoured: isColoured)
    }

    @Test func looksAsDiffPrintsIt() throws {
        let before = "{\"ID\":\"x\",\"Allocation\":{\"Size\":3,\"Old\":1.0},\"Tail\":[1,2,3,4,5,6,7,8]}"
        let after = "{\"Tail\":[1,2,3,4,5,6,7,9],\"Allocation\":{\"Old\":1,\"Size\":5},\"ID\":\"\\u0078\"}"
        #expect(
            try text(before, after, context: 2) == """
                --- a
                +++ b
                @@ -2,5 +2,5 @@ Allocation
                   "ID": "x",
                   "Allocation": {
                -    "Size": 3,
                +    "Size": 5,
                     "Old": 1.0
                   },
                @@ -13,5 +13,5 @@ Tail
                     6,
                     7,
                -    8
                +    9
                   ]
                 }

                """
        )
    }

    @Test func joinsHunksThatTouch() throws {
        // Between the two changed lines are four equal ones: twice the context.
        let (before, after) = ("[0,1,2,3,4,5]", "[9,1,2,3,4,8]")
        #expect(try text(before, after, context: 2).split(separator: "\n").filter { $0.hasPrefix("@@") }.count == 1)
        #expect(
            try text(before, after, context: 1) == """
                --- a
                +++ b
                @@ -1,3 +1,3 @@ .
                 [
                -  0,
                +  9,
                   1,
                @@ -6,3 +6,3 @@ .
                   4,
                -  5
                +  8
                 ]

                """
        )
    }

    @Test func countsLinesAsDiffDoes() throws {
        #expect(try text("1", "2") == "--- a\n+++ b\n@@ -1 +1 @@ .\n-1\n+2\n")
        #expect(try text(nil, "[1]") == "--- a\n+++ b\n@@ -0,0 +1,3 @@ .\n+[\n+  1\n+]\n")
        #expect(try text("{}", nil) == "--- a\n+++ b\n@@ -1 +0,0 @@ .\n-{}\n")
        #expect(try text("[1,2]", "[1,3,2]", context: 0) == "--- a\n+++ b\n@@ -2,0 +3 @@ .\n+  3,\n")
        #expect(try text("[1,3,2]", "[1,2]", context: -1) == "--- a\n+++ b\n@@ -3 +2,0 @@ .\n-  3,\n")
        #expect(try text(nil, nil) == "")
    }

    @Test func namesTheInnermostContainer() throws {
        func paths(_ before: String, _ after: String) throws -> [String] {
            try text(before, after, context: 0).split(separator: "\n").filter { $0.hasPrefix("@@") }
                .compactMap { $0.split(separator: " ", maxSplits: 4).last.map(String.init) }
        }
        #expect(try paths("{\"a\":[0,{\"b.c\":1}]}", "{\"a\":[0,{\"b.c\":2}]}") == ["a[1]"])
        #expect(try paths("{\"a\":{\"b.c\":{\"d\":1}}}", "{\"a\":{\"b.c\":{\"d\":2}}}") == ["a[\"b.c\"]"])
        // A line that opens a container is in the one around it.
        #expect(try paths("{\"a\":{\"b\":1}}", "{\"a\":{}}") == ["."])
        // Of several differences in one hunk, the first counts.
        let (before, after) = ("{\"a\":{\"k\":1},\"b\":{\"k\":1}}", "{\"a\":{\"j\":0,\"k\":1},\"b\":{\"j\":0,\"k\":1}}")
        #expect(try text(before, after).contains("@@ -1,8 +1,10 @@ a\n"))
        #expect(try text(after, before).contains("@@ -1,10 +1,8 @@ a\n"))
        // Of an addition, where the later document has it.
        #expect(try paths("[7,{\"k\":1}]", "[6,7,{\"j\":0,\"k\":1}]") == [".", "[2]"])
    }

    @Test func keepsTheOrderOfTheEarlierDocument() throws {
        let found = try text(
            "[{\"z\":1,\"m\":{\"q\":1,\"p\":2},\"a\":3}]",
            "[{\"a\":4,\"new\":5,\"m\":{\"p\":2,\"x\":0,\"q\":1},\"z\":1}]",
            context: 9
        )
        #expect(
            found == """
                --- a
                +++ b
                @@ -1,10 +1,12 @@ [0].m
                 [
                   {
                     "z": 1,
                     "m": {
                       "q": 1,
                -      "p": 2
                +      "p": 2,
                +      "x": 0
                     },
                -    "a": 3
                +    "a": 4,
                +    "new": 5
                   }
                 ]

                """
        )
    }

    @Test func indentationCounts() throws {
        #expect(
            try text("[1]", "[[1]]", context: 0) == "--- a\n+++ b\n@@ -2 +2,3 @@ .\n-  1\n+  [\n+    1\n+  ]\n"
        )
    }

    @Test func namesAreSpeltAsInTheEarlierDocument() throws {
        let found = try text("{\"\\u0061\":{\"k\":1}}", "{\"a\":{\"\\u006b\":2}}", context: 1)
        #expect(
            found == "--- a\n+++ b\n@@ -2,3 +2,3 @@ a\n   \"\\u0061\": {\n-    \"k\": 1\n+    \"k\": 2\n   }\n"
        )
    }

    @Test func leavesOverriddenMembersOut() throws {
        let found = try text("{\"a\":1,\"a\":2,\"b\":0}", "{\"a\":2,\"b\":1}", context: 9)
        #expect(found.contains("\"a\": 2") && !found.contains("\"a\": 1"))
    }

    @Test func controlCharactersAreEscaped() throws {
        let name = "n\u{7F}\u{80}"
        let found = try text(
            "{\"\(name)\":{\"k\":\"\u{9B}2J\u{A0}\u{7F}é\"}}",
            "{\"\(name)\":{\"k\":\"\u{9F}\\u001b\u{2028}\"}}"
        )
        #expect(found.contains("-    \"k\": \"\\u009b2J\u{A0}\\u007fé\"\n"))
        #expect(found.contains("+    \"k\": \"\\u009f\\u001b\\u2028\"\n"))
        #expect(found.contains("   \"n\\u007f\\u0080\": {\n"))
        #expect(found.contains("@@ [\"n\\u007f\\u0080\"]\n"))
        let labels = UnifiedDiff(before: try view("1"), after: try view("2")).text(before: "x\n\u{1B}", after: "\u{85}")
        #expect(labels.hasPrefix("--- x\\u000a\\u001b\n+++ \\u0085\n@@"))
    }

    @Test func coloursOnlyWhenAsked() throws {
        let plain = try text("[1,2]", "[1,3]")
        #expect(!plain.contains("\u{1B}"))
        #expect(
            try text("[1,2]", "[1,3]", context: 1, isColoured: true)
                == "--- a\n+++ b\n\u{1B}[36m@@ -2,3 +2,3 @@ .\u{1B}[0m\n   1,\n\u{1B}[31m-  2\u{1B}[0m\n"
                + "\u{1B}[32m+  3\u{1B}[0m\n ]\n"
        )
    }
}
