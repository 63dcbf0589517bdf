internal import ArgumentParser
internal import ServiceLifecycle
@main struct Main { static func main() {} }
