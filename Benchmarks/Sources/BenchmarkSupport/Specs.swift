package import GroupSPI

/// Specifications as users write them: 450 bytes of instance and flavor properties, or as many as are asked for.
package enum Specs {
    /// - Parameter bytes: how long it is to be, at least; nil for a common one.
    package static func properties(_ number: Int, bytes: Int? = nil) -> RawJSON {
        guard let bytes else { return common(number) }
        let frame = #"{"Allocation":{"Size":\#(number)},"Note":""}"#
        let note = String(repeating: "x", count: max(0, bytes - frame.utf8.count))
        return RawJSON(checked: Array(#"{"Allocation":{"Size":\#(number)},"Note":"\#(note)"}"#.utf8))
    }

    package static func spec(_ group: Int, _ number: Int, bytes: Int? = nil) -> GroupSpec {
        GroupSpec(id: name(group), properties: properties(number, bytes: bytes))
    }

    package static func name(_ group: Int) -> Identifier { "group-\(group)" }

    private static func common(_ number: Int) -> RawJSON {
        let text = """
            {"Allocation":{"Size":\(number)},"Instance":{"Plugin":"instance-vagrant","Properties":{"Box":"bento/ubuntu-16.04",\
            "Memory":2048,"CPUs":2,"Network":"private","Tags":["rack-12","web","canary"],"Note":"grown after the \
            review of the load in the last quarter"}},"Flavor":{"Plugin":"flavor-vanilla","Properties":{"Init":["docker \
            pull nginx:alpine","docker run -d -p 80:80 nginx:alpine","systemctl enable node-exporter"]}}}
            """
        return RawJSON(checked: Array(text.utf8))
    }
}
