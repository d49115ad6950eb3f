"""What is heard in the sound: vocabulary, spectrogram, network, checkpoints, data, training and evaluation."""
