internal import Glibc

/// How the Engine at a TCP address is trusted, and how this program shows who it is.
public struct EngineTLS: Hashable, Sendable {
    /// The authority of the Engine's certificate, PEM. Nil: the system's authorities.
    public var authorityFile: String?
    /// This program's own certificate, PEM.
    public var certificateFile: String?
    public var keyFile: String?
    /// Whether the Engine's certificate is checked, also against the host of the address.
    public var isVerified: Bool

    public init(
        authorityFile: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        isVerified: Bool = true
    ) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.isVerified = isVerified
    }

    /// What the user gave: `--tlscacert`, `--tlscert`, `--tlskey`, `--tlsverify`.
    public struct Flags: Hashable, Sendable {
        public var authorityFile: String?
        public var certificateFile: String?
        public var keyFile: String?
        /// Nil: not said.
        public var isVerified: Bool?

        public init(
            authorityFile: String? = nil,
            certificateFile: String? = nil,
            keyFile: String? = nil,
            isVerified: Bool? = nil
        ) {
            self.authorityFile = authorityFile
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.isVerified = isVerified
        }

        var names: [String] {
            [
                authorityFile.map { _ in "--tlscacert" }, certificateFile.map { _ in "--tlscert" },
                keyFile.map { _ in "--tlskey" },
            ].compactMap { $0 }
        }
    }

    /// Joins flags and environment.
    ///
    /// TLS is asked for by a file, by `--tlsverify`, by `DOCKER_CERT_PATH` or by `DOCKER_TLS_VERIFY`. The Engine's
    /// certificate is then checked, unless `--tlsverify` or `DOCKER_TLS_VERIFY` is given and says no (`0`, `false`, `no`,
    /// `off`). The files that are not named are `ca.pem`, `cert.pem` and `key.pem` of `DOCKER_CERT_PATH`, where they are.
    ///
    /// - Parameters:
    ///   - flags: as the user gave them.
    ///   - environment: by name.
    ///   - isRequired: the address asks for TLS by itself, as `https://` does.
    /// - Returns: nil when TLS is not asked for.
    /// - Throws: ``EngineError`` `settings`.
    public static func resolve(
        _ flags: Flags,
        environment: [String: String],
        isRequired: Bool = false
    ) throws(EngineError) -> EngineTLS? {
        let folder = environment["DOCKER_CERT_PATH"].flatMap { $0.isEmpty ? nil : $0 }
        let wish = environment["DOCKER_TLS_VERIFY"].flatMap { $0.isEmpty ? nil : !isNo($0) }
        guard isRequired || !flags.names.isEmpty || flags.isVerified == true || folder != nil || wish == true else {
            return nil
        }
        func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
        func file(_ given: String?, _ name: String) -> String? {
            if let given { return given }
            return folder.map { "\($0)/\(name)" }.flatMap { exists($0) ? $0 : nil }
        }
        let names = ["ca.pem", "cert.pem", "key.pem"]
        if let folder, flags.names.isEmpty, !names.contains(where: { exists("\(folder)/\($0)") }) {
            throw EngineError(.settings, "DOCKER_CERT_PATH: \(folder) has no ca.pem, cert.pem or key.pem.")
        }
        let tls = EngineTLS(
            authorityFile: file(flags.authorityFile, "ca.pem"),
            certificateFile: file(flags.certificateFile, "cert.pem"),
            keyFile: file(flags.keyFile, "key.pem"),
            isVerified: flags.isVerified ?? wish ?? true
        )
        guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
            throw EngineError(
                .settings,
                tls.keyFile == nil
                    ? "--tlscert has no --tlskey. Give both, or neither."
                    : "--tlskey has no --tlscert. Give both, or neither."
            )
        }
        return tls
    }

    private static func isNo(_ text: String) -> Bool { ["0", "false", "no", "off"].contains(text.lowercased()) }
}
