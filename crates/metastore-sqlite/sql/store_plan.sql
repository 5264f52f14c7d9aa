UPDATE export_jobs SET schema = $2, as_of = $3 WHERE id = $1
