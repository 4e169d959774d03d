-- Doubles what is a number.
return {
  twice = function(x)
    return x + x
  end
}
