$ local deep = {}
$ for i = 1, 100 do deep = {deep} end
$ derive(deep, {})
