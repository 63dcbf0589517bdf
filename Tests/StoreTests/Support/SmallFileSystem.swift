import Foundation
import Testing

/// A real file system of a few megabytes, for one test. Takes root.
struct SmallFileSystem: Sendable {
    enum Kind: Sendable, CaseIterable {
        case tmpfs, ext4
    }

    let kind: Kind
    /// Where it is mounted.
    let directory: String
    private let image: String

    static func with(_ kind: Kind, _ body: (SmallFileSystem) async throws -> Void) async throws {
        try await withScratch { scratch in
            let system = SmallFileSystem(kind: kind, directory: "\(scratch)/mounted", image: "\(scratch)/image")
            try FileManager.default.createDirectory(atPath: system.directory, withIntermediateDirectories: true)
            if kind == .ext4 {
                try run("truncate", "--size=4M", system.image)
                if let trouble = trouble("mkfs.ext4", "-q", "-F", system.image) {
                    try Test.cancel("SKIPPED: \(trouble)")
                }
            }
            if let trouble = system.mount() { try Test.cancel("SKIPPED: a small \(kind): \(trouble)") }
            do {
                try await body(system)
            } catch {
                system.unmount()
                throw error
            }
            system.unmount()
        }
    }

    /// - Returns: why it could not be mounted; nil when it was.
    private func mount() -> String? { mount(image) }

    private func mount(_ image: String) -> String? {
        switch kind {
        case .tmpfs: Self.trouble("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory)
        case .ext4: Self.trouble("mount", "-o", "loop,errors=remount-ro", image, directory)
        }
    }

    /// Takes it away, also from those who have files open there.
    func unmount() { _ = Self.trouble("umount", "--lazy", directory) }

    /// Waits until nobody has a file open for writing: a store closes its files some time after it was let go.
    func remount(_ option: String) async throws {
        while let trouble = Self.trouble("mount", "-o", "remount,\(option)", directory) {
            guard trouble.contains("busy") else { throw Unexpected(trouble) }
            try await Task.sleep(for: .milliseconds(10), clock: .suspending)
        }
    }

    /// Of ext4: what it does by itself when its disk fails, whoever has files open.
    ///
    /// - Returns: false where the kernel has no such button.
    func breakDown() throws -> Bool {
        let source = try Self.output("findmnt", "--noheadings", "--output", "SOURCE", directory)
        let name = source.split(separator: "/").last.map(String.init) ?? ""
        let button = "/sys/fs/ext4/\(name)/trigger_fs_error"
        guard access(button, W_OK) == 0 else { return false }
        try Data("1".utf8).write(to: URL(fileURLWithPath: button))
        return true
    }

    /// Mounts what is on its disk anew after ``breakDown()``. From a copy: as long as somebody has files open, the kernel
    /// goes on with the old one.
    func repair() throws {
        unmount()
        let copy = image + "-repaired"
        try FileManager.default.copyItem(atPath: image, toPath: copy)
        // Ends with 1 when it has mended something.
        _ = Self.trouble("e2fsck", "-p", "-f", copy)
        if let trouble = mount(copy) { throw Unexpected(trouble) }
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
