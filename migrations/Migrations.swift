/// The schema's history, carried inside the program.
public enum Migrations {
    /// In order: the first entry makes schema version 1, the next one version 2, and so on.
    public static let scripts: [String] = [
        String(decoding: PackageResources.v001_initial_sql, as: UTF8.self),
        String(decoding: PackageResources.v002_operations_sql, as: UTF8.self),
        String(decoding: PackageResources.v003_swarm_sql, as: UTF8.self),
        String(decoding: PackageResources.v004_spec_order_sql, as: UTF8.self),
        String(decoding: PackageResources.v005_superseded_sql, as: UTF8.self),
        String(decoding: PackageResources.v006_elapsed_time_sql, as: UTF8.self),
        String(decoding: PackageResources.v007_requests_sql, as: UTF8.self),
        String(decoding: PackageResources.v008_suspension_sql, as: UTF8.self),
        String(decoding: PackageResources.v009_acknowledgements_sql, as: UTF8.self),
    ]
}
