internal import Glibc

/// What a failed handshake says, without where in the library's sources it says so.
struct TLSFailure {
    /// The library's own word, `CERTIFICATE_VERIFY_FAILED` for example.
    let word: String

    init(_ error: any Error) {
        if Self.isWrongHost(error) {
            word = Self.wrongHost
            return
        }
        let text = "\(error)"
        guard let mark = text.firstRange(of: "OPENSSL_internal:") else {
            word = Self.plain(text)
            return
        }
        word = String(text[mark.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }

    static let wrongHost = "WRONG_HOST"
    static let untrusted = "CERTIFICATE_VERIFY_FAILED"

    /// A library's words without the files and lines of its sources: they tell of the machine that built the program.
    static func plain(_ text: String) -> String {
        let parts = text.split(separator: " at /", omittingEmptySubsequences: false)
        let rest = parts.dropFirst().map { part in part.drop { !" ,)]".contains($0) } }
        return (parts.prefix(1) + rest).joined()
    }

    /// One sentence and what to do.
    func sentence(of address: EngineAddress, _ trouble: CertificateTrouble?) -> String {
        let at = "the Engine at \(address)"
        switch word {
        case Self.untrusted:
            guard let trouble else {
                return
                    "\(at) shows a certificate that is not trusted. Check --tlscacert and the dates of the certificate."
            }
            return "\(at) \(trouble.sentence)"
        case Self.wrongHost:
            return
                "\(at) shows a certificate for another host. Name the host that the certificate is for, with --host; "
                + "or give the Engine one that is for this host."
        // OpenSSL's names for an answer that is no TLS at all.
        case "WRONG_VERSION_NUMBER", "HTTP_REQUEST":
            return "\(at) does not seem to speak TLS there. Name its TLS port, or remove the TLS flags."
        case "UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION":
            return
                "\(at) speaks only versions of TLS that are too old; 1.2 or newer is accepted. Update it, or the "
                + "proxy before it."
        case "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "TLSV1_ALERT_ACCESS_DENIED",
            "TLSV1_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE":
            return "\(at) refuses this client's certificate, or requires one (\(word)). Check --tlscert and --tlskey."
        default:
            return "no trusted connection to \(at): \(word). Check --tlscacert, --tlscert and --tlskey."
        }
    }
}

/// Why certificates are not trusted.
enum CertificateTrouble: Hashable {
    case expired(time_t, whose: String)
    case notYetValid(time_t, whose: String)
    case unknownIssuer

    /// When a certificate is valid, in seconds since 1970.
    struct Validity {
        let notBefore: time_t
        let notAfter: time_t
    }

    /// - Parameters:
    ///   - shown: as the Engine showed them, its own first.
    ///   - authorities: who is trusted, as far as it was said.
    ///   - now: seconds since 1970.
    init(_ shown: [Validity], _ authorities: [Validity], at now: time_t) {
        let named =
            shown.enumerated().map { ($1, $0 == 0 ? "certificate" : "authority's certificate") }
            + authorities.map { ($0, "authority in --tlscacert") }
        for (certificate, whose) in named {
            if certificate.notAfter < now {
                self = .expired(certificate.notAfter, whose: whose)
                return
            }
            if certificate.notBefore > now {
                self = .notYetValid(certificate.notBefore, whose: whose)
                return
            }
        }
        self = .unknownIssuer
    }

    var sentence: String {
        switch self {
        case .expired(let time, let whose):
            "is not trusted: its \(whose) expired on \(Self.day(time)). Renew it; or set this host's clock, if that "
                + "is wrong."
        case .notYetValid(let time, let whose):
            "is not trusted: its \(whose) is valid only from \(Self.day(time)) on. Check the clocks of both hosts."
        case .unknownIssuer:
            "is not trusted: no authority that this program knows has signed its certificate. Give the one that has, "
                + "with --tlscacert."
        }
    }

    /// In UTC.
    private static func day(_ time: time_t) -> String {
        var (time, parts) = (time, tm())
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
