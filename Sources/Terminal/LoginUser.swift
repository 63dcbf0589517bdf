internal import CLinux
internal import Glibc
public import GroupSPI

/// Who sits at the terminal, whatever user the program runs as.
public enum LoginUser {
    /// The user's name; nil when the user database has none. May block.
    public static func name(of uid: UInt32) -> Identifier? {
        var name = [CChar](repeating: 0, count: 1024)
        guard clinux_user_name(uid, &name, name.count) == 0 else { return nil }
        return Identifier(String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    /// Who logged in: the kernel notes it at the login and keeps it through `su` and `sudo`. Where nobody has noted it, what
    /// `sudo` says. Nil when neither tells.
    public static func current() -> Identifier? {
        login(noted: number("/proc/self/loginuid"), sudo: getenv("SUDO_USER").map { String(cString: $0) }, name: name)
    }

    /// - Parameter noted: all ones for a process that no login has started.
    static func login(noted: UInt32?, sudo: String?, name: (UInt32) -> Identifier?) -> Identifier? {
        if let noted, noted != .max { return name(noted) ?? Identifier("uid-\(noted)") }
        return sudo.flatMap { $0.isEmpty ? nil : Identifier($0) }
    }

    private static func number(_ path: String) -> UInt32? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var digits = [UInt8](repeating: 0, count: 32)
        let count = read(file, &digits, digits.count)
        return UInt32(
            String(decoding: digits.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }, as: UTF8.self)
        )
    }
}
