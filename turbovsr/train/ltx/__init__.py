"""Training in LTX-Video's latent space: the paper's path at any size, its transformer in shards over many processes."""
