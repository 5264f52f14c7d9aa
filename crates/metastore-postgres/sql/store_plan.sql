UPDATE export_jobs SET schema = $2::json, as_of = $3::timestamptz WHERE id = $1
