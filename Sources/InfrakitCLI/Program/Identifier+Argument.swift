public import ArgumentParser
public import GroupSPI

extension Identifier: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
