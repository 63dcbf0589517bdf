/// The input cut into pieces of 1 to 16 bytes, as a socket might deliver it; the same input always in the same way.
func pieces(of input: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var state = input.reduce(UInt64(input.count)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    var pieces: [ArraySlice<UInt8>] = []
    var rest = input
    while !rest.isEmpty {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let count = Int(state >> 60) + 1
        pieces.append(rest.prefix(count))
        rest = rest.dropFirst(count)
    }
    return pieces
}
