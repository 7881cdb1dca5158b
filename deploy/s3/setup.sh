#!/bin/sh
# Makes the bucket, and the users of the workers and of `retention` with their policies; safe to repeat. Runs with
# MinIO's own client.
set -eu
mc alias set local "$S3_ENDPOINT" root "$(cat /run/secrets/s3_root_password)" > /dev/null
mc mb --ignore-existing "local/$S3_BUCKET"

# NAME POLICY SECRET: a user that may do what a policy says.
user() {
  sed "s/BUCKET/$S3_BUCKET/g" "/setup/$2.json" > "/tmp/$2.json"
  mc admin policy create local "vision-$2" "/tmp/$2.json"
  mc admin user add local "$1" "$(cat "/run/secrets/$3")"
  mc admin policy attach local "vision-$2" --user "$1" \
    || mc admin policy entities local --user "$1" | grep -q "vision-$2"  # it has it already
}

user "$S3_ACCESS_KEY" writer vision_events_s3_secret_key
user vision-retention retention s3_retention_key
