"""The LTX-Video end of TurboVSR: its autoencoder, its checkpoints, the 2B shape."""
