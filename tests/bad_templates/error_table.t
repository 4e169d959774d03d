$ error({})
