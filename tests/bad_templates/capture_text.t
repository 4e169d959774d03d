$ capture("text")
