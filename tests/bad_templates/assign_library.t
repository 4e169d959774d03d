$ string.pad = function() end
