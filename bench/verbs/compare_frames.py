HELP = "placeholder"
