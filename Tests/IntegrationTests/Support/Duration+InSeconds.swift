extension Duration {
    /// To a tenth: `2.5 s`.
    var inSeconds: String {
        let tenths = (components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 + 50) / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
