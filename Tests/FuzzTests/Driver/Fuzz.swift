import CFuzzer
import Glibc

/// `fuzz --target=NAME`, and then libFuzzer's options, and files or folders: tries the inputs that are files, and makes new
/// ones of those in folders until what must hold does not. `fuzz --list` names the targets.
@main
enum Fuzz {
    private static let option = "--target="

    static let target: FuzzTarget = {
        let name = CommandLine.arguments.first { $0.hasPrefix(option) }?.dropFirst(option.count)
        guard let target = FuzzTarget.named(name.map(String.init) ?? "") else {
            let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
            say("Name a target: fuzz \(option)NAME. There are \(names).\n")
            exit(64)
        }
        return target
    }()

    static func main() {
        if CommandLine.arguments.dropFirst().first == "--list" {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        var options = ["-max_len=\(target.longest)", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
        // What comes later counts.
        options = [CommandLine.arguments[0]] + options + CommandLine.arguments.dropFirst()
        var count = CInt(options.count)
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: options.count + 1)
        for (index, option) in options.enumerated() { arguments?[index] = strdup(option) }
        arguments?[options.count] = nil
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, size in
                do {
                    try Fuzz.target.run(Array(UnsafeBufferPointer(start: bytes, count: size)))
                } catch {
                    Fuzz.say("\(Fuzz.target.name): \(error)\n")
                    abort()
                }
                return 0
            }
        )
    }

    private static func say(_ text: String) {
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
