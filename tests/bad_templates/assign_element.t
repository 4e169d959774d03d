$ table.insert(plan.list, 7)
