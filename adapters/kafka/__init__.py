"""Kafka, through kafka-python."""
