SELECT id FROM export_jobs WHERE job_uuid = $1::uuid
