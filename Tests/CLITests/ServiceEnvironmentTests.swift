import Testing

@testable import CLI

@Suite struct ServiceEnvironmentTests {
    private func environment(_ values: [String: String]) -> ServiceEnvironment { ServiceEnvironment(values, pid: 7) }

    @Test func nothingIsWantedWhenNothingIsSet() {
        for values in [[:], ["NOTIFY_SOCKET": ""], ["WATCHDOG_USEC": "1000000"]] {
            let service = environment(values)
            #expect(service.socket == nil && service.watchdog == nil && service.troubles.isEmpty, "\(values)")
        }
    }

    @Test(arguments: ["/run/systemd/notify", "@infrakit", "/" + String(repeating: "a", count: 106)])
    func aPathOrAnAbstractName(_ name: String) {
        let service = environment(["NOTIFY_SOCKET": name])
        #expect(service.socket != nil && service.troubles.isEmpty)
    }

    @Test(arguments: ["run/notify", "@", "vsock:2:1234", "/" + String(repeating: "a", count: 107)])
    func aSocketThatCannotBeIsToldAndNotUsed(_ name: String) {
        let service = environment(["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "10"])
        #expect(service.socket == nil)
        #expect(service.troubles.count == 1 && service.troubles.first?.contains("NOTIFY_SOCKET") == true)
    }

    @Test func theWatchdogOfThisProcess() {
        let socket = ["NOTIFY_SOCKET": "@x"]
        func watchdog(_ more: [String: String]) -> ServiceEnvironment {
            environment(socket.merging(more) { _, new in new })
        }
        #expect(watchdog(["WATCHDOG_USEC": "60000000"]).watchdog == .seconds(60))
        #expect(watchdog(["WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"]).watchdog == .seconds(60))
        let other = watchdog(["WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"])
        #expect(other.watchdog == nil && other.troubles.isEmpty)
    }

    @Test(arguments: [
        ["WATCHDOG_USEC": "soon"], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "-1"],
        ["WATCHDOG_USEC": "18446744073709551615"], ["WATCHDOG_USEC": "99999999999999999999"],
        ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "x"], ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "-7"],
    ])
    func aWatchdogThatCannotBeIsToldAndNotUsed(_ values: [String: String]) {
        let service = environment(values.merging(["NOTIFY_SOCKET": "@x"]) { _, new in new })
        #expect(service.socket != nil && service.watchdog == nil)
        #expect(service.troubles.count == 1 && service.troubles.first?.contains("WATCHDOG_") == true)
    }

    @Test func theLongestWatchdogIsNoOverflow() {
        let service = environment(["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "18446744073709551614"])
        #expect(service.watchdog.map { ServiceWatchdog.interval($0) } == .seconds(3600))
    }
}
