def bad_layers(bad):
    pass
