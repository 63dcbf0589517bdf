internal import NIOCore

/// The status line and header of a response, as Go's server writes them.
struct HTTPResponseHead {
    enum Connection { case keepAlive, keepAliveOfOldClient, close }

    var status: String
    /// The client speaks HTTP/1.0.
    var isOldVersion = false
    var connection: Connection
    var contentType = "text/plain; charset=utf-8"
    /// False for an answer to `HEAD`.
    var sendsBody = true

    /// Writes the head into the room before the body, so that both are one buffer.
    func prepend(to body: inout ByteBuffer, date: String) {
        let length = body.readableBytes
        var text = isOldVersion ? "HTTP/1.0 " : "HTTP/1.1 "
        text.reserveCapacity(ReplyWriter.headroom)
        text += status
        text += "\r\nDate: "
        text += date
        text += "\r\nContent-Length: "
        text += String(length)
        if length > 0 {
            text += "\r\nContent-Type: "
            text += contentType
        }
        switch connection {
        case .keepAlive: break
        case .keepAliveOfOldClient: text += "\r\nConnection: keep-alive"
        case .close: text += "\r\nConnection: close"
        }
        text += "\r\n\r\n"
        if !sendsBody { body.moveWriterIndex(to: body.readerIndex) }
        let count = text.utf8.count
        guard count <= body.readerIndex else {
            // Cannot happen with the texts of this server; a longer one costs a copy.
            var whole = ByteBuffer(string: text)
            whole.writeBuffer(&body)
            body = whole
            return
        }
        body.setString(text, at: body.readerIndex - count)
        body.moveReaderIndex(to: body.readerIndex - count)
    }
}
