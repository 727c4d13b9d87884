"""MQTT on one machine: mosquitto with client certificates, and the bridge that runs the topic rules."""
