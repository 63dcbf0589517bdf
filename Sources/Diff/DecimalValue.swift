/// The exact value of a JSON number, in one spelling: `-12.50e3` is `-125e2`.
///
/// The value is never computed, only its digits and the exponent are moved, so `1e999999999` costs no more than `1`.
enum DecimalValue {
    /// Appends sign, digits without zeros at either end, `e` and the exponent; `0` for zero of any sign and spelling.
    static func append(_ number: some Collection<UInt8>, to output: inout [UInt8]) {
        var digits: [UInt8] = []
        var exponent: [UInt8] = []
        var fractionCount = 0
        var isFraction = false
        var isExponent = false
        var isExponentNegative = false
        for byte in number {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"): isExponent = true
            case UInt8(ascii: "-"): if isExponent { isExponentNegative = true }
            case UInt8(ascii: "+"): break
            default:
                if isExponent {
                    if byte != UInt8(ascii: "0") || !exponent.isEmpty { exponent.append(byte) }
                    continue
                }
                if isFraction { fractionCount += 1 }
                if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte) }
            }
        }
        guard !digits.isEmpty else {
            output.append(UInt8(ascii: "0"))
            return
        }
        var shift = -fractionCount
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            shift += 1
        }
        if number.first == UInt8(ascii: "-") { output.append(UInt8(ascii: "-")) }
        output.append(contentsOf: digits)
        output.append(UInt8(ascii: "e"))
        appendExponent(exponent, isNegative: isExponentNegative, plus: shift, to: &output)
    }

    /// Appends the sum of an exponent, which may be of any length, and a shift, which no text makes longer than an Int.
    private static func appendExponent(
        _ digits: [UInt8],
        isNegative: Bool,
        plus shift: Int,
        to output: inout [UInt8]
    ) {
        // Seventeen digits and a shift fit into an Int; more digits than that keep their sign whatever the shift.
        if digits.count <= 17 {
            let magnitude = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            output.append(contentsOf: String((isNegative ? -magnitude : magnitude) + shift).utf8)
            return
        }
        var digits = digits
        var carry = isNegative ? -shift : shift
        var index = digits.count
        while carry != 0, index > 0 {
            index -= 1
            let sum = Int(digits[index] - UInt8(ascii: "0")) + carry
            let digit = ((sum % 10) + 10) % 10
            digits[index] = UInt8(ascii: "0") + UInt8(digit)
            carry = (sum - digit) / 10
        }
        if isNegative { output.append(UInt8(ascii: "-")) }
        if carry > 0 { output.append(contentsOf: String(carry).utf8) }
        output.append(contentsOf: carry > 0 ? digits[...] : digits.drop { $0 == UInt8(ascii: "0") })
    }
}
