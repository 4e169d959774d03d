int cost = 3; /* $ */
