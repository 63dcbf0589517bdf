enum ProcessGroupPlaceholder {}
