$ derive(plan)
