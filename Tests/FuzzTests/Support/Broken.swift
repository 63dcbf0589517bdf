/// What must hold does not.
struct Broken: Error, CustomStringConvertible {
    let description: String
}

/// - Throws: ``Broken`` unless the condition holds.
func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
    guard condition else { throw Broken(description: sentence()) }
}

/// - Throws: ``Broken`` when there is no value.
func require<Value>(_ value: Value?, _ sentence: @autoclosure () -> String) throws -> Value {
    guard let value else { throw Broken(description: sentence()) }
    return value
}

/// - Throws: ``Broken`` unless both are the same.
func same<Value: Equatable>(_ left: Value, _ right: Value, _ what: @autoclosure () -> String) throws {
    guard left == right else { throw Broken(description: "\(what()):\n  \(left)\n  \(right)") }
}
