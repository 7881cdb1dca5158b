#!/bin/sh
# Makes the bucket, the policy of the workers, and their user; safe to repeat. Runs with MinIO's own client.
set -eu
root=$(cat /run/secrets/s3_root_password)
secret=$(cat /run/secrets/vision_events_s3_secret_key)
mc alias set local "$S3_ENDPOINT" root "$root" > /dev/null
mc mb --ignore-existing "local/$S3_BUCKET"
sed "s/BUCKET/$S3_BUCKET/g" /setup/writer.json > /tmp/writer.json
mc admin policy create local vision-writer /tmp/writer.json
mc admin user add local "$S3_ACCESS_KEY" "$secret"
mc admin policy attach local vision-writer --user "$S3_ACCESS_KEY" || mc admin policy entities local --user "$S3_ACCESS_KEY" | grep -q vision-writer
