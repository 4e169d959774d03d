/* ${string.format("%8p", "x")} */
