// swift-tools-version: 6.2

import PackageDescription

// A package of its own: whoever builds the manager does not build what measures it.
let package = Package(
    name: "infrakit-manager-benchmarks",
    dependencies: [
        .package(name: "infrakit-manager", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        // What both kinds of benchmarks need: a directory on a disk, and a database that is filled.
        .target(
            name: "BenchmarkSupport",
            dependencies: [
                .product(name: "GroupSPI", package: "infrakit-manager"),
                .product(name: "Store", package: "infrakit-manager"),
            ]
        ),
        // The manager's parts, in one process.
        .executableTarget(
            name: "InProcess",
            dependencies: [
                "BenchmarkSupport",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "CSQLite", package: "infrakit-manager"),
                .product(name: "Diff", package: "infrakit-manager"),
                .product(name: "GroupSPI", package: "infrakit-manager"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Manager", package: "infrakit-manager"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "PluginRPC", package: "infrakit-manager"),
                .product(name: "Store", package: "infrakit-manager"),
            ],
            path: "Benchmarks/InProcess",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
        // The released programs, as users run them.
        .executableTarget(
            name: "bench",
            dependencies: [
                "BenchmarkSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CSQLite", package: "infrakit-manager"),
                .product(name: "GroupSPI", package: "infrakit-manager"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "PluginRPC", package: "infrakit-manager"),
                .product(name: "Store", package: "infrakit-manager"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}
