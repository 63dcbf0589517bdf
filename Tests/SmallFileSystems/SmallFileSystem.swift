internal import Foundation

/// A real file system of a few megabytes, for tests. Takes root.
public struct SmallFileSystem: Sendable {
    public enum Kind: Sendable, CaseIterable {
        case tmpfs, ext4
    }

    public let kind: Kind
    /// Where it is mounted.
    public let directory: String
    private let megabytes: Int

    private var image: String { directory + ".image" }
    private var repaired: String { directory + ".repaired" }

    /// There is none to be had here.
    public struct Absent: Error, CustomStringConvertible {
        public let description: String
    }

    /// Mounts one for as long as a body runs.
    ///
    /// - Parameters:
    ///   - megabytes: its size.
    ///   - directory: an empty one, where it is mounted. Its disk is a file beside it.
    /// - Throws: ``Absent``; what the body throws.
    public static func with<Result>(
        _ kind: Kind,
        megabytes: Int,
        at directory: String,
        _ body: (SmallFileSystem) async throws -> Result
    ) async throws -> Result {
        let system = SmallFileSystem(kind: kind, directory: directory, megabytes: megabytes)
        if kind == .ext4 {
            try run("truncate", "--size=\(megabytes)M", system.image)
            if let trouble = trouble("mkfs.ext4", "-q", "-F", system.image) { throw Absent(description: trouble) }
        }
        if let trouble = system.mount(system.image) { throw Absent(description: "a small \(kind): \(trouble)") }
        do {
            let result = try await body(system)
            system.takeAway()
            return result
        } catch {
            system.takeAway()
            throw error
        }
    }

    /// - Returns: why it could not be mounted; nil when it was.
    private func mount(_ image: String) -> String? {
        switch kind {
        case .tmpfs: Self.trouble("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", directory)
        case .ext4: Self.trouble("mount", "-o", "loop,errors=remount-ro", image, directory)
        }
    }

    private func takeAway() {
        unmount()
        for file in [image, repaired] { try? FileManager.default.removeItem(atPath: file) }
    }

    // MARK: - Its troubles

    /// Leaves no room at all, until ``makeRoom()``.
    public func fill() throws {
        let descriptor = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Unexpected("cannot create \(ballast): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = statvfs()
        var size = off_t(0)
        // Whole blocks in large pieces, without writing them, then in ever smaller ones.
        if fstatvfs(descriptor, &status) == 0 {
            var piece = off_t(status.f_bfree) * off_t(status.f_bsize)
            while piece >= 512 {
                if posix_fallocate(descriptor, size, piece) == 0 { size += piece } else { piece /= 2 }
            }
        }
    }

    public func makeRoom() { unlink(ballast) }

    /// Leaves no inode for another file.
    public func fillInodes() {
        var number = 0
        while true {
            let descriptor = open("\(directory)/inode-\(number)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { return }
            close(descriptor)
            number += 1
        }
    }

    /// Keeps everybody who writes waiting, for as long as a body runs.
    public func frozen<Result>(_ body: () async throws -> Result) async throws -> Result {
        try Self.run("fsfreeze", "--freeze", directory)
        do {
            let result = try await body()
            try Self.run("fsfreeze", "--unfreeze", directory)
            return result
        } catch {
            try Self.run("fsfreeze", "--unfreeze", directory)
            throw error
        }
    }

    private var ballast: String { "\(directory)/ballast" }

    /// Takes it away, also from those who have files open there.
    private func unmount() { _ = Self.trouble("umount", "--lazy", directory) }

    /// Waits until nobody has a file open for writing: a store closes its files some time after it was let go.
    public func remount(_ option: String) async throws {
        while let trouble = Self.trouble("mount", "-o", "remount,\(option)", directory) {
            guard trouble.contains("busy") else { throw Unexpected(trouble) }
            try await Task.sleep(for: .milliseconds(10), clock: .suspending)
        }
    }

    /// Of ext4: what it does by itself when its disk fails, whoever has files open.
    ///
    /// - Returns: false where the kernel has no such button.
    public func breakDown() throws -> Bool {
        let source = try Self.output("findmnt", "--noheadings", "--output", "SOURCE", directory)
        let name = source.split(separator: "/").last.map(String.init) ?? ""
        let button = "/sys/fs/ext4/\(name)/trigger_fs_error"
        guard access(button, W_OK) == 0 else { return false }
        try Data("1".utf8).write(to: URL(fileURLWithPath: button))
        return true
    }

    /// Mounts what is on its disk anew after ``breakDown()``. From a copy: as long as somebody has files open, the kernel
    /// goes on with the old one.
    public func repair() throws {
        unmount()
        try FileManager.default.copyItem(atPath: image, toPath: repaired)
        // Ends with 1 when it has mended something.
        _ = Self.trouble("e2fsck", "-p", "-f", repaired)
        if let trouble = mount(repaired) { throw Unexpected(trouble) }
    }

    // MARK: - Programs

    private static func run(_ words: String...) throws {
        if let trouble = trouble(words) { throw Unexpected(trouble) }
    }

    private static func trouble(_ words: String...) -> String? { trouble(words) }

    private static func trouble(_ words: [String]) -> String? {
        do {
            _ = try output(words)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func output(_ words: String...) throws -> String { try output(words) }

    private static func output(_ words: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Unexpected("\(words.joined(separator: " ")): \(text)") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
