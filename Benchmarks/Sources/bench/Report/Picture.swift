internal import BenchmarkSupport
internal import Glibc

/// Curves, drawn by gnuplot.
struct Picture {
    struct Curve {
        let title: String
        let points: [(x: Double, y: Double)]
    }

    let name: String
    let title: String
    let x: String
    let y: String
    let curves: [Curve]
    /// Whether the axis grows by powers.
    var hasLogarithmicWidth = true

    /// Where gnuplot is.
    ///
    /// - Throws: when it is not installed; asked before hours of measurements, not after.
    static var program: String {
        get throws {
            let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin"
            let places = path.split(separator: ":").map { "\($0)/gnuplot" }
            let found = places.first { access($0, X_OK) == 0 }
            guard let found else {
                throw BenchmarkError("the pictures need gnuplot: apt-get install --no-install-recommends gnuplot-nox")
            }
            return found
        }
    }

    func draw(to path: String) throws {
        let plots = curves.enumerated().map { index, curve in
            "$curve\(index) using 1:2 with linespoints linewidth 2 pointtype 7 title \(Self.quoted(curve.title))"
        }
        let data = curves.enumerated().map { index, curve in
            "$curve\(index) << END\n" + curve.points.map { "\($0.x) \($0.y)\n" }.joined() + "END\n"
        }
        let script = """
            set terminal svg size 720,400 font 'sans-serif,13' background '#ffffff'
            set output \(Self.quoted(path))
            set title \(Self.quoted(title))
            set xlabel \(Self.quoted(x))
            set ylabel \(Self.quoted(y))
            \(hasLogarithmicWidth ? "set logscale x" : "")
            set format x '%.0s%c'
            set yrange [0:*]
            set grid
            set key left top
            \(data.joined())
            plot \(plots.joined(separator: ", "))

            """
        let file = path + ".gnuplot"
        try Files.write(script, to: file)
        defer { Files.remove(file) }
        let program = try Program([try Self.program, file], environment: [:], output: file + ".log")
        defer { Files.remove(file + ".log") }
        guard case .exit(0) = program.waitForEnd() else {
            throw BenchmarkError("gnuplot cannot draw \(path): \(Files.read(file + ".log") ?? "")")
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "''") + "'"
    }
}
