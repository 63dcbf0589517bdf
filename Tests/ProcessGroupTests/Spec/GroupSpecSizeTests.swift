import GroupSPI
import Testing

@testable import ProcessGroup

/// `setSize` changes the number and no other byte.
struct GroupSpecSizeTests {
    @Test(arguments: [
        (#"{"Allocation":{"Size":3}}"#, 12, #"{"Allocation":{"Size":12}}"#),
        (
            "{ \"b\" : 1.0,\n\t\"allocation\" : { \"sIZE\" :  3  , \"x\": \"\\u0041\" }, \"a\":00e1 }"
                .replacing("00e1", with: "10e1"),
            0,
            "{ \"b\" : 1.0,\n\t\"allocation\" : { \"sIZE\" :  0  , \"x\": \"\\u0041\" }, \"a\":10e1 }"
        ),
        // The last of several members is the one that counts.
        (#"{"Allocation":{"Size":1,"size":2}}"#, 5, #"{"Allocation":{"Size":1,"size":5}}"#),
        (
            #"{"Allocation":{"Size":1},"Size":7,"allocation":{"Size":2}}"#, 5,
            #"{"Allocation":{"Size":1},"Size":7,"allocation":{"Size":5}}"#
        ),
    ])
    func replacesTheNumber(before: String, size: Int, after: String) throws {
        let spec = GroupSpec(id: "g", properties: try RawJSON(before))
        #expect(try spec.resized(to: size).properties.text == after)
    }

    @Test(arguments: [-1, 1001, Int.max])
    func refusesSizes(size: Int) throws {
        let spec = GroupSpec(id: "g", properties: try RawJSON(#"{"Allocation":{"Size":3}}"#))
        let error = #expect(throws: GroupError.self) { try spec.resized(to: size) }
        #expect(error?.message.contains("from 0 to 1000 is accepted") == true)
    }

    @Test func refusesGroupsOfLogicalIDs() throws {
        let spec = GroupSpec(id: "g", properties: try RawJSON(#"{"Allocation":{"LogicalIDs":["a"]}}"#))
        let error = #expect(throws: GroupError.self) { try spec.resized(to: 2) }
        #expect(error?.message.contains("sized by its LogicalIDs") == true)
    }
}
