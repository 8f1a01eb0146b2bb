"""Slipway, a self-hosted developer portal for an ERP's HTTP API."""
