// swift-tools-version: 6.2

import PackageDescription

/// The release. Named here alone: the programs, the manual pages and the packages take it from this line.
let version = "0.1.0"

/// The commit, for `version`. Only one small C target depends on it, so a new commit rebuilds little.
let commit =
    Context.gitInformation.map { git in
        String(git.currentCommit.prefix(12)) + (git.hasUncommittedChanges ? "-dirty" : "")
    } ?? "unknown"

/// What the fuzzers try, and what they try it with.
let fuzzed: [Target.Dependency] = [
    "Documents", "GroupSPI", "PluginRPC", "Replication", "Store", "Swarm",
    .product(name: "Logging", package: "swift-log"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOEmbedded", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]

let package = Package(
    name: "infrakit-manager",
    products: [
        .executable(name: "infrakit-manager", targets: ["CLI"]),
        .executable(name: "infrakit", targets: ["InfrakitCLI"]),
        // For tests.
        .library(name: "WallClock", type: .dynamic, targets: ["WallClock"]),
        // For the benchmarks, which are a package of their own.
        .library(name: "CSQLite", targets: ["CSQLite"]),
        .library(name: "Diff", targets: ["Diff"]),
        .library(name: "GroupSPI", targets: ["GroupSPI"]),
        .library(name: "Manager", targets: ["Manager"]),
        .library(name: "PluginRPC", targets: ["PluginRPC"]),
        .library(name: "Store", targets: ["Store"]),
    ],
    traits: [
        .trait(
            name: "TLS",
            description: "Docker Engines at tcp:// and https:// addresses. BoringSSL takes half of a build."
        )
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
    ],
    targets: [
        // C: what Swift's Glibc module does not carry, SHA-256, SQLite, YAML, zlib, and the version and commit that this is
        // built from.
        .target(
            name: "CBuild",
            cSettings: [
                .define("INFRAKIT_COMMIT", to: "\"\(commit)\""),
                .define("INFRAKIT_VERSION", to: "\"\(version)\""),
            ]
        ),
        .target(name: "CLinux"),
        .target(name: "CSHA256", linkerSettings: [.linkedLibrary("nettle")]),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CYAML", linkerSettings: [.linkedLibrary("yaml")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),

        // Libraries, from the ones that know least to the ones that know most.
        .target(name: "GroupSPI"),
        // What is needed of Linux beyond its C library: files, locks, threads, processes.
        .target(name: "Platform", dependencies: ["CLinux"]),
        .target(
            name: "Terminal",
            dependencies: [
                "CLinux",
                "GroupSPI",
                "Platform",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(name: "Diff", dependencies: ["CSHA256", "GroupSPI", "Terminal"]),
        .target(name: "Documents", dependencies: ["CYAML", "GroupSPI"]),
        .target(
            name: "Migrations",
            path: "migrations",
            resources: [
                .embedInCode("v001_initial.sql"), .embedInCode("v002_operations.sql"),
                .embedInCode("v003_swarm.sql"), .embedInCode("v004_spec_order.sql"),
                .embedInCode("v005_superseded.sql"),
                .embedInCode("v006_elapsed_time.sql"),
                .embedInCode("v007_requests.sql"),
                .embedInCode("v008_suspension.sql"),
                .embedInCode("v009_acknowledgements.sql"),
            ]
        ),
        .target(
            name: "Store",
            dependencies: [
                "CLinux",
                "CSHA256",
                "CSQLite",
                "GroupSPI",
                "Migrations",
                "Platform",
            ]
        ),
        .target(
            name: "Manager",
            dependencies: [
                "CLinux",
                "GroupSPI",
                "Platform",
                "Store",
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "Replication",
            dependencies: [
                "GroupSPI",
                "Store",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "HTTPClient",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .target(
            name: "PluginRPC",
            dependencies: [
                "CLinux",
                "GroupSPI",
                "HTTPClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .target(
            name: "Swarm",
            dependencies: [
                "CZlib",
                "GroupSPI",
                "HTTPClient",
                "Replication",
                "Store",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
            ]
        ),
        .target(
            name: "ProcessGroup",
            dependencies: [
                "CLinux",
                "CSHA256",
                "GroupSPI",
                "Platform",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),

        // Programs.
        .executableTarget(
            name: "CLI",
            dependencies: [
                "CBuild",
                "CLinux",
                "Diff",
                "Documents",
                "GroupSPI",
                "Manager",
                "PluginRPC",
                "ProcessGroup",
                "Replication",
                "Store",
                "Swarm",
                "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .executableTarget(
            name: "InfrakitCLI",
            dependencies: [
                "CBuild",
                "GroupSPI",
                "PluginRPC",
                "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),

        // Tests: one target for each library, and one that runs the programs.
        .target(name: "FaultVFS", dependencies: ["CSQLite"], path: "Tests/FaultVFS"),
        .target(name: "ManagerModels", dependencies: ["GroupSPI", "Store"], path: "Tests/ManagerModels"),
        .target(name: "NFSLabSupport", dependencies: ["TestFiles"], path: "Tests/NFSLabSupport"),
        .target(name: "SeededRandom", path: "Tests/SeededRandom"),
        .target(name: "SmallFileSystems", path: "Tests/SmallFileSystems"),
        .target(name: "TestFiles", path: "Tests/TestFiles"),
        .target(name: "PluginFakes", dependencies: ["GroupSPI"], path: "Tests/PluginFakes"),
        .target(
            name: "StoreFakes",
            dependencies: ["CSQLite", "GroupSPI", "SeededRandom", "Store"],
            path: "Tests/StoreFakes"
        ),
        .testTarget(
            name: "CLITests",
            dependencies: [
                "CLI", "Documents", "GroupSPI", "PluginRPC", "Store", "StoreFakes", "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Golden"]
        ),
        .testTarget(name: "DiffTests", dependencies: ["Diff", "GroupSPI", "SeededRandom"]),
        .testTarget(name: "DocumentsTests", dependencies: ["Documents", "GroupSPI"]),
        .testTarget(
            name: "FuzzTests",
            dependencies: fuzzed + ["TestFiles"],
            exclude: ["Corpus", "Driver", "words.dict"]
        ),
        .testTarget(name: "GroupSPITests", dependencies: ["GroupSPI"]),
        .testTarget(
            name: "HTTPClientTests",
            dependencies: [
                "HTTPClient", "PluginFakes",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(name: "InfrakitCLITests", dependencies: ["GroupSPI", "InfrakitCLI", "PluginFakes", "Terminal"]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "CLI", "CSQLite", "GroupSPI", "InfrakitCLI", "Migrations", "NFSLabSupport", "PluginRPC", "SeededRandom",
                "SmallFileSystems", "Store", "Swarm", "SwarmLabSupport", "TestFiles",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "ManagerTests",
            dependencies: [
                "GroupSPI", "Manager", "ManagerModels", "Platform", "SeededRandom", "Store",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(name: "PlatformTests", dependencies: ["Platform"]),
        .testTarget(
            name: "PluginRPCTests",
            dependencies: [
                "CLinux", "GroupSPI", "PluginFakes", "PluginRPC",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "ProcessGroupTests",
            dependencies: [
                "GroupSPI", "Platform", "ProcessGroup", .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(name: "WallClock", path: "Tests/WallClock"),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "CSQLite", "FaultVFS", "GroupSPI", "Migrations", "SeededRandom", "SmallFileSystems", "Store",
                "StoreFakes",
            ]
        ),
        .target(
            name: "SwarmLabSupport",
            dependencies: ["Swarm", .product(name: "NIOPosix", package: "swift-nio")],
            path: "Tests/SwarmLabSupport"
        ),
        .testTarget(
            name: "SwarmTests",
            dependencies: [
                "GroupSPI", "Replication", "SeededRandom", "Store", "StoreFakes", "Swarm", "SwarmLabSupport",
                "TestFiles",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
            ],
            exclude: ["Vectors"]
        ),
        .testTarget(
            name: "TerminalTests",
            dependencies: ["Terminal", .product(name: "Logging", package: "swift-log")]
        ),

        // The simulation: `simulate` runs it, SimulationTests run `simulate`.
        .target(name: "CSimulation", path: "Tests/CSimulation"),
        .target(
            name: "Simulation",
            dependencies: [
                "CSimulation", "GroupSPI", "Manager", "ManagerModels", "Replication", "SeededRandom", "Store", "Swarm",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Simulation"
        ),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Simulate"
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "GroupSPI", "ManagerModels", "SeededRandom", "Simulation", "Store", "StoreFakes", "simulate",
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// One strictness for every target of ours: what the compiler can find, it must find.
let targetsInC = [
    "CBuild", "CLinux", "CSHA256", "CSQLite", "CSimulation", "CYAML", "CZlib", "FaultVFS", "WallClock",
]
for target in package.targets where !targetsInC.contains(target.name) {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}

// `make fuzz` (CONTRIBUTING.md, Fuzzing): in place of the tests that try the corpus, the program `fuzz`, with our modules
// instrumented. LIBFUZZER is the path of its library, which comes with the compiler.
if let libFuzzer = Context.environment["LIBFUZZER"] {
    package.targets.removeAll { $0.name == "FuzzTests" }
    package.targets += [
        .target(name: "CFuzzer", path: "Tests/CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: fuzzed + ["CFuzzer"],
            path: "Tests/FuzzTests",
            exclude: ["Corpus", "CorpusTests.swift", "Support/Corpus.swift", "words.dict"],
            swiftSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.unsafeFlags(["-sanitize=address", libFuzzer]), .linkedLibrary("stdc++")]
        ),
    ]
    for target in package.targets
    where ["Documents", "GroupSPI", "PluginRPC", "Replication", "Store", "Swarm", "fuzz"].contains(target.name) {
        target.swiftSettings =
            (target.swiftSettings ?? []) + [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])]
    }
}
