int a = ${"tile};
