/* ${tostring(plan)} */
