#!/bin/sh
# Gives each kind of process the least that it needs of Kafka; safe to repeat.
#   KAFKA_ACLS=/opt/kafka/bin/kafka-acls.sh deploy/kafka/acls.sh --bootstrap-server HOST:PORT --command-config ADMIN.properties
# The users, made with kafka-configs.sh --alter --add-config 'SCRAM-SHA-512=[password=...]' --entity-type users --entity-name NAME:
#   vision-admin     `vision-events migrate` and people: topics of ours, their configuration, groups
#   vision-worker    ingest workers
#   vision-alerts    alert workers
#   vision-gateway   gateways
#   vision-producer  producers and edges that send to Kafka themselves: may write raw records, and read nothing
set -euf
acls=${KAFKA_ACLS:-kafka-acls.sh}
ingest=${INGEST_GROUP:-vision-ingest}
alerts=${ALERT_GROUP:-vision-alerts}

# NAMES, then what they may do.
allow() {
  users=; for name in $1; do users="$users --allow-principal User:$name"; done; shift
  $acls $connection --add $users "$@" > /dev/null
}
connection=$*

allow "vision-admin" --operation All --topic vision. --topic "$alerts" --group vision- --resource-pattern-type prefixed
# How far others are: topics, and what groups have committed.
allow "vision-worker vision-alerts vision-gateway" --operation Describe \
  --topic vision. --group vision- --resource-pattern-type prefixed
allow "vision-worker" --operation Read --topic vision.inferences --group "$ingest"
allow "vision-worker" --operation Write --topic vision.events --topic vision.rejects --topic vision.alert-candidates
allow "vision-alerts" --operation Read --topic vision.alert-candidates --topic vision.alerts --group "$alerts"
allow "vision-alerts" --operation Write --topic vision.alerts
# The tables of the alert workers: compacted topics, named by their group.
allow "vision-alerts" --operation Create --operation Read --operation Write --operation Describe --operation DescribeConfigs \
  --topic "$alerts-" --resource-pattern-type prefixed
allow "vision-gateway vision-producer" --operation Write --operation Describe --topic vision.inferences
