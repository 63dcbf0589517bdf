import GroupSPI
import Store
import Testing

@testable import Manager

/// What a plugin holds after it has said no, from what it tells.
struct PluginHoldingTests {
    private static let sent = (
        old:
            #"{"Allocation":{"Size":5},"Instance":{"Plugin":"instance-file","Properties":{"Note":"v1"}},"X":"unknown"}"#,
        new: #"{"Allocation":{"Size":10},"Instance":{"Plugin":"instance-file","Properties":{"Note":"v2"}},"X":"other"}"#
    )
    /// As a plugin of 2016 tells them: in its own order, with a default, without what it does not know.
    private static let told = (
        old:
            #"{"Instance":{"Plugin":"instance-file","Properties":{"Note":"v1"}},"Allocation":{"Size":5,"LogicalIDs":null}}"#,
        new:
            #"{"Instance":{"Plugin":"instance-file","Properties":{"Note":"v2"}},"Allocation":{"Size":10,"LogicalIDs":null}}"#
    )

    private func set(_ text: String) -> Change.Action { .set(RawJSON(checked: Array(text.utf8)), plugin: "p") }

    @Test(
        arguments: [
            (sent.old, sent.old, PluginHolding.before), (sent.new, sent.old, .new), (told.old, sent.old, .before),
            (told.new, sent.old, .new), (nil, sent.old, .nothing), (nil, nil, .before), (told.new, nil, .new),
            (told.old, nil, .unknown), (#"{"Other":1}"#, nil, .unknown), (#"{"Instance":{}}"#, sent.old, .unknown),
            (#"{"Allocation":{"Size":10},"Instance":{"Properties":{"Note":"v1"}}}"#, sent.old, .unknown),
            // Nothing that the plugin knows is new.
            (told.new, sent.new, .before),
        ] as [(String?, String?, PluginHolding)]
    )
    func ofANewSpecification(_ held: String?, _ before: String?, _ expected: PluginHolding) {
        let holding = PluginHolding(
            held.map { RawJSON(checked: Array($0.utf8)) },
            after: set(Self.sent.new),
            before: before.map { set($0) }
        )
        #expect(holding == expected)
    }

    @Test(
        arguments: [
            (.free, told.old, sent.old, PluginHolding.before), (.free, nil, sent.old, .new), (.free, nil, nil, .before),
            (.destroy, told.old, sent.old, .before), (.destroy, nil, sent.old, .unknown),
            (.destroy, nil, nil, .before),
        ] as [(Change.Action, String?, String?, PluginHolding)]
    )
    func ofAnEnd(_ action: Change.Action, _ held: String?, _ before: String?, _ expected: PluginHolding) {
        let holding = PluginHolding(
            held.map { RawJSON(checked: Array($0.utf8)) },
            after: action,
            before: before.map { set($0) }
        )
        #expect(holding == expected)
    }
}
