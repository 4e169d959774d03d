/* ${string.format("%s", plan)} */
