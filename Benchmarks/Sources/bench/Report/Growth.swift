/// How a figure grows with something: a table and a picture.
struct Growth {
    struct Point {
        let x: Int
        let y: Double
        /// What a transaction of the bare disk took meanwhile, in milliseconds, where that matters.
        var disk: Double?
    }

    /// Of its picture's file.
    let name: String
    let title: String
    /// What it grows with.
    let x: String
    let unit: Unit
    let points: [Point]

    var table: Table {
        let hasDisk = points.contains { $0.disk != nil }
        let first = points.first?.y ?? .nan
        return Table(
            [x, "figure", "to the first"] + (hasDisk ? ["the bare disk meanwhile", "to that"] : []),
            points.map { point in
                let row = [Unit.count.text(Double(point.x)), unit.text(point.y), Unit.times.text(point.y / first)]
                guard hasDisk else { return row }
                let disk = point.disk ?? .nan
                return row + [Unit.milliseconds.text(disk), Unit.times.text(point.y / disk)]
            }
        )
    }

    var picture: Picture {
        var curves = [Picture.Curve(title: title, points: points.map { (Double($0.x), $0.y) })]
        let bare = points.compactMap { point in point.disk.map { (Double(point.x), $0) } }
        if !bare.isEmpty { curves.append(Picture.Curve(title: "the bare disk meanwhile", points: bare)) }
        return Picture(name: name, title: title, x: x, y: unit.name, curves: curves)
    }
}

extension Report {
    mutating func add(_ growth: Growth) {
        add("### \(growth.title)")
        add(growth.table)
        add(growth.picture)
    }
}
