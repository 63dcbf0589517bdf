internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

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
    /// - Parameter isRequired: the address asks for TLS by itself, as `https://` does.
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

    /// Puts TLS into the pipelines of connections to a host.
    ///
    /// - Throws: ``EngineError`` `tls` that names the file.
    func handler(for host: String) throws(EngineError) -> @Sendable (any Channel) throws -> Void {
        let context: NIOSSLContext
        do {
            context = try NIOSSLContext(configuration: configuration())
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(
                .tls,
                "TLS cannot be set up: \(TLSFailure(error).word). Check --tlscacert, --tlscert and --tlskey."
            )
        }
        // TLS has no names that are numbers; the certificate is then compared with the address itself.
        let isNumber = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return { channel in
            let handler = try NIOSSLClientHandler(context: context, serverHostname: isNumber ? nil : host)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
    }

    /// Why a certificate of that Engine was not trusted. The library says only that it was not, so the certificates are
    /// looked at, over a connection that is never used for anything else.
    ///
    /// - Returns: nil when they cannot be had.
    func distrust(
        of host: String,
        _ port: Int,
        on group: MultiThreadedEventLoopGroup,
        within limit: Duration
    ) async -> CertificateTrouble? {
        let shown = Mutex<[NIOSSLCertificate]>([])
        guard var configuration = try? configuration() else { return nil }
        configuration.certificateVerification = .noHostnameVerification
        guard let context = try? NIOSSLContext(configuration: configuration) else { return nil }
        let limit = TimeAmount.milliseconds(Int64(limit.milliseconds))
        let bootstrap = ClientBootstrap(group: group).connectTimeout(limit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = try NIOSSLClientHandler(
                    context: context,
                    serverHostname: nil,
                    customVerificationCallback: { certificates, promise in
                        shown.withLock { $0 = certificates }
                        promise.succeed(.failed)
                    }
                )
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }
        guard let channel = try? await bootstrap.connect(host: host, port: port).get() else { return nil }
        // The handshake ends it; a server that says nothing, this.
        let end = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        try? await channel.closeFuture.get()
        end.cancel()
        let certificates = shown.withLock { $0 }
        guard !certificates.isEmpty else { return nil }
        let authorities = authorityFile.flatMap { try? NIOSSLCertificate.fromPEMFile($0) } ?? []
        return CertificateTrouble(certificates, authorities, at: time(nil))
    }

    /// - Throws: ``EngineError`` `tls` that names the file.
    private func configuration() throws(EngineError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // Older ones are broken; Docker itself speaks 1.2 since 2013.
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = isVerified ? .fullVerification : .none
        if let file = authorityFile {
            configuration.trustRoots = .certificates(try Self.certificates(file, "--tlscacert"))
        }
        if let file = certificateFile {
            configuration.certificateChain = try Self.certificates(file, "--tlscert").map { .certificate($0) }
        }
        if let file = keyFile {
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: file, format: .pem))
            } catch {
                throw Self.unreadable(file, "--tlskey", error)
            }
        }
        return configuration
    }

    private static func certificates(_ file: String, _ flag: String) throws(EngineError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(file)
            guard !certificates.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        } catch {
            throw unreadable(file, flag, error)
        }
    }

    private static func unreadable(_ file: String, _ flag: String, _ error: any Error) -> EngineError {
        let isReadable = access(file, R_OK) == 0
        let reason = isReadable ? "it holds nothing of that kind in PEM" : String(cString: strerror(errno))
        return EngineError(.tls, "the file \(file) (\(flag)) cannot be used: \(reason).")
    }
}
