internal import Glibc

/// The system's words for its error numbers.
enum SystemError {
    /// For example `no such file or directory`, as Go prints it.
    static func text(_ number: Int32) -> String {
        guard let words = strerror(number) else { return "error \(number)" }
        let text = String(cString: words)
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
