float w[2] = {
${hex_words("0x%su", "12345678", 4, 1, 3)}
};
