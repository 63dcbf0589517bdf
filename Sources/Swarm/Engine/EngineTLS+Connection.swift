internal import Glibc
internal import NIOCore
internal import NIOPosix

// The trait `TLS` of the package: BoringSSL takes half of a build, and few need it.
#if TLS
internal import NIOSSL
internal import Synchronization

extension EngineTLS {
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
                "cannot set up TLS: \(TLSFailure(error).word). Check --tlscacert, --tlscert and --tlskey."
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
        return CertificateTrouble(certificates.map(Self.validity), authorities.map(Self.validity), at: time(nil))
    }

    private static func validity(_ certificate: NIOSSLCertificate) -> CertificateTrouble.Validity {
        .init(notBefore: certificate.notValidBefore, notAfter: certificate.notValidAfter)
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
        let reason = isReadable ? "it contains no such item in PEM format" : String(cString: strerror(errno))
        return EngineError(.tls, "the file \(file) (\(flag)) cannot be used: \(reason).")
    }
}

extension TLSFailure {
    /// Whether TLS itself failed, and not what is below it.
    static func isOne(_ error: any Error) -> Bool {
        error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
    }

    /// Whether the other end went away without a word.
    static func isUncleanShutdown(_ error: any Error) -> Bool {
        if case NIOSSLError.uncleanShutdown = error { true } else { false }
    }

    static func isWrongHost(_ error: any Error) -> Bool {
        (error as? NIOSSLExtraError) == .failedToValidateHostname
    }
}
#else
extension EngineTLS {
    /// - Throws: ``EngineError`` `tls`, always.
    func handler(for host: String) throws(EngineError) -> @Sendable (any Channel) throws -> Void {
        throw EngineError(
            .tls,
            "this infrakit-manager was built without TLS. Use the one of a package or a release, or build it with "
                + "make build TLS=1; on a manager of the swarm, its Engine's socket needs none."
        )
    }

    /// Nobody knows, without TLS.
    func distrust(
        of host: String,
        _ port: Int,
        on group: MultiThreadedEventLoopGroup,
        within limit: Duration
    ) async -> CertificateTrouble? { nil }
}

extension TLSFailure {
    static func isOne(_ error: any Error) -> Bool { false }
    static func isUncleanShutdown(_ error: any Error) -> Bool { false }
    static func isWrongHost(_ error: any Error) -> Bool { false }
}
#endif
