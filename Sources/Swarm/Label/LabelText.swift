internal import GroupSPI

/// JSON ↔ the text of a label: packed with zlib, in base64.
enum LabelText {
    /// - Throws: ``AnnotationError`` `tooLarge` when there is no memory.
    static func encode(_ json: [UInt8]) throws(AnnotationError) -> String {
        do {
            return String(decoding: Base64.encode(try Zlib.compress(json)), as: UTF8.self)
        } catch {
            throw AnnotationError(.tooLarge, "it cannot be packed: \(error)")
        }
    }

    /// - Throws: ``AnnotationError`` `corrupt`; `tooLarge` for what unfolds beyond the limit.
    static func decode(_ text: String, limit: Int, label: String) throws(AnnotationError) -> JSONView {
        guard !text.isEmpty else { throw .corrupt("it is empty", label: label) }
        do {
            let bytes = try Zlib.decompress(try Base64.decode(text.utf8), limit: limit)
            return try JSONView(bytes, limits: limits(limit))
        } catch let error as Base64Error {
            throw .corrupt(error.reason, label: label)
        } catch let error as ZlibError {
            throw Self.error(error, label)
        } catch {
            throw .corrupt("it holds \(error)", label: label)
        }
    }

    /// What was accepted from a user is read again, although it is wrapped in a few more levels here.
    static func limits(_ bytes: Int) -> JSONLimits {
        JSONLimits(maximumBytes: bytes, maximumDepth: JSONLimits.standard.maximumDepth + 12)
    }

    private static func error(_ error: ZlibError, _ label: String) -> AnnotationError {
        switch error {
        case .truncated: .corrupt("its zlib data are cut off", label: label)
        case .trailing: .corrupt("there are bytes after its zlib data", label: label)
        case .failed(let reason): .corrupt("its zlib data are broken (\(reason))", label: label)
        case .tooLarge(let limit):
            AnnotationError(
                .tooLarge,
                "the swarm's label '\(label)' unfolds to more than \(limit) bytes and was not read. It is not this "
                    + "manager's. Put back a valid one, or remove it: then the leader writes its own state."
            )
        }
    }
}
